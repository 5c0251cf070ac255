declare module "virtual:font-faces" {
  const faces: { url: string; "unicode-range": string[] }[];
  export default faces;
}
