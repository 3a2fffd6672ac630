"""The industry: talent, entry, exits and acquisitions."""
