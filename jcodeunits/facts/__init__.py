"""The book of facts: one `Reference`, row classes that say what a table holds, questions that answer from them."""
