"""The page about a study: its words, figures and templates."""
