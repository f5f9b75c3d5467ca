/** A number as every surface shows it: its thousands parted by commas. */
export const count = (n: number): string => n.toLocaleString("en-US")
