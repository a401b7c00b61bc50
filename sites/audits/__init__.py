"""Audits of an account's metrics, the insights they found, and chats about those."""
