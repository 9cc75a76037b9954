/** Everything a pipeline may say, on one page. */
export const WHOLE_CONTRACT = `
name: support
instructions: You are a friendly receptionist. Answer in one or two short sentences.
voice: warm
language: en
turnDetection: { type: server_vad, threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 }
greeting: "Hello, how can I help?"
default: true
interruption: { minSpeechMs: 200, minWords: 0, ignore: [uh-huh, okay] }
idle: { afterMs: 15000, say: ["Are you still there?"], hangUpAfter: 2 }
call: { hangUp: true, transfer: { sales: "+15551234567", desk: "sip:desk@pbx.example.com" }, sendDigits: true }
voicemail: { then: leave_message, say: "Hello, this is Parley. Please call us back." }
speculation: { maxRevisions: 3 }
clientMay: [instructions, voice, tools]
tools:
  - { name: opening_hours, type: http, url: https://example.com/hours, parameters: { type: object, properties: {} }, timeoutMs: 3000, filler: "Let me look." }
  - { name: crm, type: mcp, url: https://mcp.example.com, approval: never }
budget:
  turnMs: 1500
  ladder:
    - { rung: partial }
    - { rung: faster }
    - { rung: shorter, maxTokens: 60 }
    - { rung: filler, afterMs: 1200, say: ["One moment."] }
    - { rung: apology, say: "Sorry, I lost my train of thought. Could you say that again?" }
stt:
  routes:
    - { name: german, when: 'metadata.language == "de"', use: [deepgram/nova-3, soniox/stt-rt-v5] }
    - { name: any, use: [deepgram/flux-general-en, local/moonshine-tiny] }
llm:
  routes:
    - name: premium
      when: 'key.tier == "premium" && size(turn.text) > 200'
      use: [anthropic/claude-sonnet-4-5, openai/gpt-4o]
      hedge: { after: p95, maxShare: 0.1 }
    - name: greeting-test
      experiment: greeting
      sticky: session.user
      variants:
        - { id: control, weight: 90, use: [openai/gpt-4o-mini] }
        - { id: candidate, weight: 10, use: [{ target: openai/gpt-4o, params: { temperature: 0.3 } }] }
    - { name: any, use: { from: [openai/gpt-4o-mini, groq/llama-3.3-70b, local/smollm2], sort: [latency, price] } }
tts:
  routes:
    - { name: any, use: [elevenlabs/eleven_flash_v2_5, cartesia/sonic-3, local/flite] }
voices:
  warm: { elevenlabs: EXAVITQu4vr4xnSDxMaL, cartesia: 694f9389-aac1-45b6-b726-9d9369183238, local: slt }
`
