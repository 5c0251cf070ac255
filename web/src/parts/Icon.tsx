const PATHS = {
  draw: "M4 17 7.500 5.500 18 4l2 10-8 6z",
  line: "M12 3v18M4 9h5M7 6.500 9.500 9 7 11.500M20 15h-5M17 12.500 14.500 15l2.500 2.500",
  place: "M12 21s7-6.400 7-11.500a7 7 0 1 0-14 0C5 14.600 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  device: "M4 8.500h11v8H4zM15 11l5-2.500v8L15 14M8 20h5",
  area: "M4 5.500l5-2 6 2.500 5-2v14l-5 2-6-2.500-5 2zM9 3.500v14M15 6v14",
  watch: "M12 5c-5 0-8.500 4.500-9.500 7 1 2.500 4.500 7 9.500 7s8.500-4.500 9.500-7C20.500 9.500 17 5 12 5zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2.500M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300 7 7M17 17l1.700 1.700M18.700 5.300 17 7M7 17l-1.700 1.700",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  pause: "M8 5v14M16 5v14",
  play: "M7 4.500 19 12 7 19.500z",
  pen: "M4 20l1-4.500L16.500 4 20 7.500 8.500 19z",
  bin: "M5 7h14M10 7V4.500h4V7M6.500 7l1 13h9l1-13M10 11v5.500M14 11v5.500",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  level: "M5 12h14",
  warn: "M12 4 2.500 20h19zM12 10v4.500M12 17.300v.2",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
