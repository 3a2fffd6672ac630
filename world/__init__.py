"""Where agents meet: markets, technology, the ecosystem graph and the schedule.

Nothing is imported here, so that ``agents`` can use ``world.population`` and
``world.arrays`` without closing a circle. Start at :mod:`world.step`.
"""
