// The width of the window in a test's DOM, for what a media query decides.

/** Sets it, px; 1024 is what a test begins with. Inside act(), as components follow. */
export function setWindowWidth(width: number): void {
  // This DOM's media queries miss the first change unless they have seen a resize before.
  window.dispatchEvent(new Event('resize'))
  const { happyDOM } = window as unknown as { happyDOM: { setViewport: (to: { width: number }) => void } }
  happyDOM.setViewport({ width })
}
