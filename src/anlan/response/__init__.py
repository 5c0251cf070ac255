"""Reach: travel times, posts, rotas, dispatch, and proof of the promise, as pure functions over plain records."""
