"""Questions to the JavaScript package oref0, its answers, and how they are asked again under Node."""
