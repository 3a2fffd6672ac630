"""Measures of industrial dynamics: functions from LazyFrames to LazyFrames.

==================  ========================================================================
``concentration``   HHI, concentration ratios, entropy, numbers equivalent
``turbulence``      Hymer and Pashigian's instability, churn of ranks, tenure of leaders
``demography``      rates of entry and exit and their cross-correlation, lives of firms
``survival``        Kaplan-Meier, hazard by age, Cox's regression
``size``            tails by Hill and by rank, growth rates and their Subbotin shape, Gini
``prices``          price at fixed capability, its log-linear slope, Lerner index
``gaps``            how far one frontier is behind another, in OOM and in months
``lineage``         who builds on whose weights
``welfare``         consumer surplus and what changed it
==================  ========================================================================

They take tables as :mod:`baimo.experiments.read.load` reads them, of any number of runs, and keep the keys that are
there: ``scenario``, ``run`` and ``replicate`` of a world, ``step`` and ``date`` of a moment. What is
undefined is null. Tables larger than memory: :func:`baimo.experiments.measures.frames.by_run`.
"""
