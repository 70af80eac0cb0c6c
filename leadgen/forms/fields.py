"""Field kinds: each a small pure class that cleans a value, describes it and draws it."""

CHOICES = [
    ("text", "Text"),
    ("long_text", "Long text"),
    ("email", "Email"),
    ("phone", "Phone"),
    ("number", "Number"),
    ("choice", "Choice"),
    ("multiple_choice", "Multiple choice"),
    ("yes_no", "Yes or no"),
    ("date", "Date"),
    ("country", "Country"),
    ("hidden", "Hidden"),
    ("consent", "Consent"),
]
