export type Colour = readonly [red: number, green: number, blue: number]

/** Lays a colour of an opacity of 0 … 1 over the pixel whose red stands at `at` of `image` (RGBA, not premultiplied). */
export function layOver(image: Uint8ClampedArray, at: number, colour: Colour, opacity: number): void {
  const below = (image[at + 3]! / 255) * (1 - opacity)
  const total = opacity + below
  image[at] = (colour[0] * opacity + image[at]! * below) / total
  image[at + 1] = (colour[1] * opacity + image[at + 1]! * below) / total
  image[at + 2] = (colour[2] * opacity + image[at + 2]! * below) / total
  image[at + 3] = 255 * total
}
