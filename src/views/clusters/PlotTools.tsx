import { t } from '../../language/translate.ts'
import type { PlotTool } from '../charts/PlotSurface.tsx'
import { type PlotWindow, zoomed, zoomOf } from '../charts/plotWindow.ts'

export interface PlotToolsProps {
  tool: PlotTool
  onTool: (tool: PlotTool) => void
  home: PlotWindow
  window: PlotWindow
  onWindow: (window: PlotWindow | null) => void
  /** undefined where there is nothing to lay over one another */
  density: boolean | undefined
  onDensity: (isOn: boolean) => void
}

const step = 1.5

/** What a drag on the plot does, how close it is, and whether all λ lie behind. */
export function PlotTools({ tool, onTool, home, window, onWindow, density, onDensity }: PlotToolsProps) {
  const tools: [PlotTool, string, string][] = [
    ['select', t('Select'), t('Drag a rectangle about points; with shift they are added')],
    ['lasso', t('Lasso'), t('Draw a line about points; with shift they are added')],
    ['move', t('Move'), t('Drag the picture; the wheel zooms')],
  ]
  const zoom = zoomOf(home, window)
  return (
    <div className="plot-tools" role="toolbar" aria-label={t('Tools of the cluster plot')}>
      {tools.map(([id, label, title]) => (
        <button
          key={id}
          type="button"
          className="quiet-button"
          aria-pressed={tool === id}
          title={title}
          onClick={() => onTool(id)}
        >
          {label}
        </button>
      ))}
      {density !== undefined && (
        <button
          type="button"
          className="quiet-button"
          aria-pressed={density}
          title={t('The merges at every measured λ together, as a density behind the points')}
          onClick={() => onDensity(!density)}
        >
          {t('All λ')}
        </button>
      )}
      <span className="plot-zoom">
        <button
          type="button"
          className="quiet-button"
          aria-label={t('Zoom out')}
          title={t('Zoom out (−)')}
          onClick={() => onWindow(zoomed(home, window, 1 / step))}
        >
          −
        </button>
        <button
          type="button"
          className="quiet-button plot-zoom-reset"
          aria-label={t('Show the whole picture, now {zoom} times', { zoom: zoom.toFixed(1) })}
          title={t('Show the whole picture (0)')}
          onClick={() => onWindow(null)}
        >
          {zoom < 9.95 ? zoom.toFixed(1) : Math.round(zoom)} ×
        </button>
        <button
          type="button"
          className="quiet-button"
          aria-label={t('Zoom in')}
          title={t('Zoom in (+); control with the wheel')}
          onClick={() => onWindow(zoomed(home, window, step))}
        >
          +
        </button>
      </span>
    </div>
  )
}
