"""Whether the tests notice wrong code: it is changed in one place after the other, and they have to fail."""
