"""What a person opens in a browser: home, sessions, an invitation. allauth's own pages stand beside them."""
