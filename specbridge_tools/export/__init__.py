"""Hits in the formats of other programs: mzTab-M, SIRIUS, MetaboLights, annotated MGF, networks."""
