"""What a page says about itself and what is wrong with it. Pure: no database, no network."""
