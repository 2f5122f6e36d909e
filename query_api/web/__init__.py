"""The application and its edge: who may ask, what goes out to browsers, the live stream."""
