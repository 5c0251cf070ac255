/** The filter of a page without what was opened from it. */
export function kept(asked: URLSearchParams): URLSearchParams {
  const made = new URLSearchParams(asked);
  for (const name of ["new", "at", "incident", "area_of"]) made.delete(name);
  return made;
}
