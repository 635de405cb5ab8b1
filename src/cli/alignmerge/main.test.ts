import { describe, expect, it } from 'vitest'
import { runCli, runHere } from './testCli.ts'

describe('alignmerge', () => {
  it('without a command says what there is, and that this was no use of it', async () => {
    const { code, stdout, stderr } = await runCli([])
    expect(code).toBe(2)
    expect(stdout).toMatch(/^alignmerge COMMAND …\n\n {2}inspect {2}/)
    expect(stderr).toBe('')
    expect((await runHere(['--help'])).code).toBe(0)
  })

  it('names what it does not know', async () => {
    const unknown = await runHere(['inspekt'])
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toMatch(
      /^unknown command inspekt; expected inspect.*\nalignmerge --help tells more\n$/,
    )
    const option = await runHere(['inspect', 'anchor', '--colour', 'red'])
    expect(option.code).toBe(2)
    expect(option.stderr).toBe("Unknown option '--colour'\nalignmerge inspect --help tells more\n")
    const few = await runHere(['inspect', '--json'])
    expect(few.code).toBe(2)
    expect(few.json()).toEqual({ error: { code: 'usage', message: 'expected MODEL…, found 0 of them' } })
  })

  it('explains a command', async () => {
    const { code, stdout } = await runHere(['inspect', '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^alignmerge inspect MODEL…\n/)
    expect(stdout).toContain('--json')
  })
})
