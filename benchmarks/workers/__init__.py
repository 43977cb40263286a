"""What is measured, each a process of its own, so that memory and CPU belong to it alone; prints one JSON object."""
