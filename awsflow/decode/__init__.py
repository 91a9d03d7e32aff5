"""From bytes to events: compression, JSON documents."""
