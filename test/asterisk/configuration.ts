/** What Asterisk is configured with: as little as there can be, nothing that listens, and the connections to Parley. */

export interface Connections {
  /** By name: `Dial(WebSocket/NAME/…)`. */
  readonly websockets: Readonly<Record<string, WebSocketConnection>>
}

export interface WebSocketConnection {
  readonly uri: string
  readonly username?: string
  readonly password?: string
}

/** `autoload` would open ports on every address. */
const MODULES = [
  'res_sorcery_config',
  'res_sorcery_memory',
  'res_timing_timerfd',
  'res_crypto',
  'res_http_websocket',
  'res_websocket_client',
  'chan_websocket',
  'res_audiosocket',
  'app_audiosocket',
  'chan_audiosocket',
  'pbx_config',
  'app_dial',
  'app_playback',
  'app_mixmonitor',
  'app_senddtmf',
  'res_clioriginate',
  'format_wav',
  'codec_ulaw',
  'codec_alaw',
  'codec_resample',
  'bridge_simple',
]

/** Files of the configuration's folder by name. `dir`: the folder above it, as Asterisk sees it. */
export function configuration(dir: string, { websockets }: Connections): Readonly<Record<string, string>> {
  return {
    'asterisk.conf': `[directories]
astetcdir => ${dir}/etc
astvarlibdir => ${dir}/lib
astdbdir => ${dir}/lib
astkeydir => ${dir}/lib
astspooldir => ${dir}/spool
astrundir => ${dir}/run
astlogdir => ${dir}/log
`,
    'modules.conf': `[modules]\nautoload=no\n${MODULES.map((name) => `load=${name}.so\n`).join('')}`,
    'logger.conf': '[general]\n[logfiles]\nconsole = warning,error\n',
    'extensions.conf': '[none]\n',
    'chan_websocket.conf': '[global]\ncontrol_message_format = plain-text\n',
    'websocket_client.conf': Object.entries(websockets)
      .map(([name, connection]) => section(name, connection))
      .join('\n'),
  }
}

function section(name: string, { uri, username, password }: WebSocketConnection): string {
  const lines = [
    `[${name}]`,
    'type = websocket_client',
    'connection_type = per_call_config',
    `uri = ${uri}`,
    'protocols = media',
    ...(username === undefined ? [] : [`username = ${username}`]),
    ...(password === undefined ? [] : [`password = ${password}`]),
  ]
  return `${lines.join('\n')}\n`
}

export interface DialplanCall {
  /** What reaches Parley: `Dial(WebSocket/…)` or `AudioSocket(…)`. */
  readonly far: readonly string[]
  /** What the caller does, an application a step. */
  readonly caller: readonly string[]
}

/** Two contexts: `caller-ID` does what a caller would and records what it hears and says, `far-ID` is connected to Parley. */
export function dialplan(id: string, dir: string, { far, caller }: DialplanCall): string {
  const recording = `MixMonitor(${dir}/${id}.wav,Sr(${dir}/${id}-heard.wav)t(${dir}/${id}-said.wav),touch ${dir}/done/${id})`
  return `${context(`caller-${id}`, [recording, 'Answer()', ...caller, 'Hangup()'])}
${context(`far-${id}`, [...far, 'Hangup()'])}`
}

function context(name: string, steps: readonly string[]): string {
  const [first, ...more] = steps
  return `[${name}]\nexten => s,1,${first}\n${more.map((step) => ` same => n,${step}\n`).join('')}`
}
