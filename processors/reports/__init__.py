"""Reports: which stretch of time one is about, what stands in it, and how it looks as Markdown and as HTML."""
