"""Parts that any report is made of: blocks, figures, HTML, Markdown."""
