"""The indicators that come with Anlan."""
