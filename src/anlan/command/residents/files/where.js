// The one thing that the page cannot do by itself: ask the browser where it is. Without it, nothing is missing.
const row = document.querySelector(".position");
if (row && "geolocation" in navigator) {
  row.hidden = false;
  const told = row.querySelector("span");
  row.querySelector("button").addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById("lon").value = coords.longitude.toFixed(6);
        document.getElementById("lat").value = coords.latitude.toFixed(6);
        document.querySelector("details").open = true;
        told.textContent = told.dataset.found;
      },
      () => {
        told.textContent = told.dataset.none;
      },
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}
