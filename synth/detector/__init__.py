"""The detector of people and vehicles that learns from rendered pictures alone."""
