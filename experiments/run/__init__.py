"""Running: settings are composed, worlds run in blocks over processes, tables kept whole or not at all."""
