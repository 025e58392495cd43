"""What is damaged in a home, said and mended. Nothing is deleted that a person made: it is put aside."""
