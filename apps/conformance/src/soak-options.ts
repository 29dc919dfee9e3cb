import { Command } from 'commander'
import { chosen, parsed, whole } from './options.js'
import { transportNames } from './transports.js'

export interface SoakCommand {
  readonly transports: readonly string[]
  /** In all. */
  readonly seconds: number
  readonly seed: number
  /** Only this scene of the seed's, again and again. */
  readonly scene: number | undefined
}

/** Null if help was asked for; it has been printed. */
export function parseSoakOptions(argv: readonly string[]): SoakCommand | null {
  const command = new Command('soak')
    .description(
      'Soaks the transports: mixed traffic while children are killed, exit and throw, while ends move from one to the other, and while calls give up. Counts what is lost, doubled or out of order beyond the contract, and what is left behind.',
    )
    .argument('[seconds]', 'how long in all; the transports share it', whole('the time'), 60)
    .option('-t, --transport <names>', `only these, separated by commas: ${transportNames.join(', ')}`, chosen)
    .option('-s, --seed <number>', 'repeat the plan of an earlier run', whole('a seed'))
    .option('--scene <number>', "play only this one of the seed's scenes, again and again", whole('a scene', 0))
    .addHelpText('after', helpTail)
  if (!parsed(command, argv)) return null
  const { transport = transportNames, seed = 1 + Math.floor(Math.random() * 2 ** 31), scene } = command.opts()
  return { transports: transport, seconds: command.processedArgs[0], seed, scene }
}

const helpTail = `
A scene is a queue, a pipe, a lock or a pool with some who use it. The seed decides which scenes are played, and what is done in each;
the moments depend on the machine. Each transport has one line with all counts. At a violation its last 200 events are told, too.
The first four scenes are played before the time begins, and the last ones to their end.

Exit code: 0; 1 at a violation; 2 if called wrongly.
`
