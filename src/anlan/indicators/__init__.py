"""What the district measures itself by, as data: each number with its formula, its level, and the list behind it."""
