"""Reports for people: Markdown, badges and one HTML file, all derived from the JSON of a result."""
