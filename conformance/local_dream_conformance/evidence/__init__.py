"""What recorded exchanges say: events, pictures, costs."""
