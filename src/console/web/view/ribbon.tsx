/**
 * The last eight seconds as one ribbon: your voice rises above the line, the answer's hangs below it, so that a pause,
 * an interruption and the gap between them are seen as they happen. Also the microphone's level meter.
 */
import { useEffect, useRef } from 'preact/hooks'
import type { Call } from '../talk/call.ts'
import { STEPS, type Voices } from '../talk/voices.ts'

/** For readers of the meter, not of the picture. */
const METER_MS = 500
/** Asked for less motion, the picture is renewed this often and does not glide. */
const CALM_MS = 400

export function Ribbon({ call }: { readonly call: Call }) {
  const meter = useRef<HTMLMeterElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const live = call.phase.value !== 'idle' && call.phase.value !== 'error'
  useEffect(() => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)')
    let frame = 0
    let drawn = -Infinity
    let metered = -Infinity
    let top = 0
    const draw = (now: number) => {
      if (live) frame = requestAnimationFrame(draw)
      call.voices.advance(now)
      top = Math.max(top, call.voices.you)
      if (now - metered >= METER_MS) {
        meter.current!.value = Math.round(100 * top)
        metered = now
        top = 0
      }
      if (now - drawn < (calm.matches ? CALM_MS : 0)) return
      drawn = now
      paint(canvas.current!, call.voices)
    }
    frame = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(frame)
  }, [live, call])
  return (
    <div class="ribbon">
      <meter
        ref={meter}
        class="unseen"
        data-testid="level"
        aria-label="Microphone level"
        min={0}
        max={100}
        value={0}
      />
      <canvas ref={canvas} />
    </div>
  )
}

function paint(canvas: HTMLCanvasElement, voices: Voices): void {
  const { clientWidth: width, clientHeight: height } = canvas
  const scale = devicePixelRatio
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  const style = getComputedStyle(canvas)
  const context = canvas.getContext('2d')!
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const middle = Math.round(height / 2)
  context.fillStyle = style.getPropertyValue('--rule')
  context.fillRect(0, middle, width, 1)
  // Bars of two pixels, one apart; narrow windows show fewer seconds rather than thinner bars.
  const step = Math.max(3, width / STEPS)
  for (const [voice, colour] of [
    ['you', '--you'],
    ['them', '--it'],
  ] as const) {
    context.fillStyle = style.getPropertyValue(colour)
    for (let age = 0; age < STEPS && age * step < width; age++) {
      const tall = voices.at(age)[voice] ** 1.6 * (middle - 2)
      if (tall < 0.5) continue
      context.fillRect(width - (age + 1) * step, voice === 'you' ? middle - tall : middle + 1, step - 1, tall)
    }
  }
}
