// @vitest-environment happy-dom
import { act, cleanup, render, screen } from '@testing-library/react'
import { useEffect } from 'react'
import { afterEach, describe, expect, it } from 'vitest'
import { setWindowWidth } from '../../state/testing/windowWidth.ts'
import { Split } from './Split.tsx'

const setWidth = (width: number) => act(() => setWindowWidth(width))

afterEach(() => {
  cleanup()
  setWidth(1024)
})

let mounts = 0
function Part({ name }: { name: string }) {
  useEffect(() => {
    mounts++
  }, [])
  return <button type="button">{name}</button>
}

function Parts({ isSecondFirst = false }: { isSecondFirst?: boolean }) {
  return (
    <Split id="test" start={40} minimum={[20, 20]} from={861} isSecondFirst={isSecondFirst}>
      <Part name="recipe" />
      <Part name="pictures" />
    </Split>
  )
}

const names = () => screen.getAllByRole('button').map((button) => button.textContent)

describe('two parts', () => {
  it('stand side by side with a border between them in a wide window', () => {
    render(<Parts isSecondFirst />)
    expect(names()).toEqual(['recipe', 'pictures'])
    const border = screen.getByRole('separator')
    expect(border.previousElementSibling!.textContent).toBe('recipe')
    expect(border.nextElementSibling!.textContent).toBe('pictures')
  })

  it('stand one above the other without a border in a narrow one, in the order that is asked for', () => {
    setWidth(390)
    const { rerender } = render(<Parts />)
    expect(screen.queryByRole('separator')).toBeNull()
    expect(names()).toEqual(['recipe', 'pictures'])
    rerender(<Parts isSecondFirst />)
    expect(names()).toEqual(['pictures', 'recipe'])
  })

  it('stay what they are when the window crosses the bound', () => {
    mounts = 0
    render(<Parts isSecondFirst />)
    const [recipe] = screen.getAllByRole('button')
    setWidth(390)
    expect(names()).toEqual(['pictures', 'recipe'])
    setWidth(1200)
    expect(names()).toEqual(['recipe', 'pictures'])
    expect(screen.getAllByRole('button')[0]).toBe(recipe)
    expect(mounts).toBe(2)
  })
})
