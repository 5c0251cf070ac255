"""What the pages of volunteers are made of: templates, texts in both languages, one sheet of styles."""
