"""`python -m anlan`: the terminal."""

from anlan.cli import main

main()
