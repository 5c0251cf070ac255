"""Intervals are held against counts that were withheld, every night, and made as wide as those ask for."""

from anlan.proof.proofs import ProofNow, Proofs, ProvedDay, ProvedView

__all__ = ["ProofNow", "Proofs", "ProvedDay", "ProvedView"]
