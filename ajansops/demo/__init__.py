"""Everything the demo needs, made here: a shop export, its pictures, a client's website and a business directory."""
