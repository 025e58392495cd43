"""What people prefer, collected from everywhere in a home, and what to ask them next."""
