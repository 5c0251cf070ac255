"""The templates that come with Anlan, each a TOML file."""
