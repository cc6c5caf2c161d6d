/** Of this program. Kept apart from package.json, which lies outside the built package's modules; a test holds them together. */
export const VERSION = '0.1.0';
