"""CMS and FDA files in, reference tables out, with a report of what does not fit."""
