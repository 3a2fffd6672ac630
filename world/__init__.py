"""The world in which agents meet: one folder a district, from the engine up to the record.

Nothing is imported here. Start at :mod:`baimo.world.schedule`, the phases of a step in order.
"""
