/** Every bridge's REST interface before its double, in memory: for the tests that ask the same of all of them. */
import { VirtualClock } from '../../src/clock.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { BANDWIDTH, FakeBandwidthRest } from '../../src/testing/telephony/rest/bandwidth.ts'
import type { RestDouble } from '../../src/testing/telephony/rest/double.ts'
import { FakeJambonzRest, JAMBONZ } from '../../src/testing/telephony/rest/jambonz.ts'
import {
  ARI,
  EXOTEL,
  FakeAri,
  FakeExotelRest,
  FakeInfobipRest,
  INFOBIP_KEY,
} from '../../src/testing/telephony/rest/plain.ts'
import { FakePlivoRest, PLIVO_ID, PLIVO_TOKEN } from '../../src/testing/telephony/rest/plivo.ts'
import { FakeTelnyxRest, TELNYX_KEY } from '../../src/testing/telephony/rest/telnyx.ts'
import {
  FakeCallResource,
  SIGNALWIRE,
  TWILIO_SID,
  TWILIO_TOKEN,
} from '../../src/testing/telephony/rest/twilio.ts'
import { FakeVonageRest, VONAGE_APPLICATION } from '../../src/testing/telephony/rest/vonage.ts'
import type { CallControl } from '../../src/wire/telephony/bridge.ts'
import { asteriskControl } from '../../src/wire/telephony/bridges/asterisk/control.ts'
import { bandwidthControl } from '../../src/wire/telephony/bridges/bandwidth/control.ts'
import { exotelControl } from '../../src/wire/telephony/bridges/exotel/control.ts'
import { infobipControl } from '../../src/wire/telephony/bridges/infobip/control.ts'
import { jambonzControl } from '../../src/wire/telephony/bridges/jambonz/control.ts'
import { plivoControl } from '../../src/wire/telephony/bridges/plivo/control.ts'
import { signalwireControl } from '../../src/wire/telephony/bridges/signalwire/control.ts'
import { telnyxControl } from '../../src/wire/telephony/bridges/telnyx/control.ts'
import { twilioControl } from '../../src/wire/telephony/bridges/twilio/control.ts'
import { vonageControl } from '../../src/wire/telephony/bridges/vonage/control.ts'

export interface ControlledBridge {
  readonly double: RestDouble
  readonly control: CallControl
  /** Waits of the network that are not over. */
  readonly open: () => number
}

/** What a caller who gives a wrong secret has. */
export type Secrets = 'right' | 'wrong'

/** Where a transfer's document stands, of the bridges that ask for one. */
export const TRANSFER_URL = (to: string) => `https://voice.example.com/transfer?to=${encodeURIComponent(to)}`

const told = (right: string, secrets: Secrets) => () => (secrets === 'right' ? right : 'another-secret')

function around<D extends RestDouble>(
  double: D,
  of: (place: { dispatcher: MemoryDispatcher; baseUrl?: string }, double: D) => CallControl,
): ControlledBridge {
  const dispatcher = new MemoryDispatcher(double.server)
  return { double, control: of({ dispatcher }, double), open: () => dispatcher.open }
}

export const CONTROLLED: Readonly<Record<string, (secrets: Secrets) => ControlledBridge>> = {
  twilio: (s) =>
    around(new FakeCallResource(), (place) =>
      twilioControl({ ...place, accountSid: TWILIO_SID, authToken: told(TWILIO_TOKEN, s) }),
    ),
  signalwire: (s) =>
    around(new FakeCallResource(SIGNALWIRE), (place) =>
      signalwireControl({
        ...place,
        space: 'example.signalwire.com',
        projectId: SIGNALWIRE.account,
        apiToken: told(SIGNALWIRE.password, s),
        transferUrl: TRANSFER_URL,
      }),
    ),
  telnyx: (s) =>
    around(new FakeTelnyxRest(), (place) =>
      telnyxControl({
        ...place,
        apiKey: told(TELNYX_KEY, s),
        connectionId: '1684641123236054244',
        codec: 'PCMU',
        sampleRateHz: 8000,
        streamToken: () => 'stream-token',
      }),
    ),
  plivo: (s) =>
    around(new FakePlivoRest(), (place) =>
      plivoControl({
        ...place,
        authId: PLIVO_ID,
        authToken: told(PLIVO_TOKEN, s),
        transferUrl: TRANSFER_URL,
      }),
    ),
  vonage: (s) => {
    const clock = new VirtualClock()
    return around(new FakeVonageRest(clock), (place, double) =>
      vonageControl({
        ...place,
        applicationId: VONAGE_APPLICATION,
        privateKey: () => (s === 'right' ? double : new FakeVonageRest(clock)).privateKey,
        sampleRateHz: 16000,
        clock,
      }),
    )
  },
  exotel: (s) =>
    around(new FakeExotelRest(), (place) =>
      exotelControl({
        ...place,
        accountSid: EXOTEL.account,
        apiKey: () => EXOTEL.key,
        apiToken: told(EXOTEL.token, s),
        flowId: EXOTEL.flow,
        region: 'mumbai',
      }),
    ),
  bandwidth: (s) =>
    around(new FakeBandwidthRest(), (place) =>
      bandwidthControl({
        ...place,
        accountId: BANDWIDTH.account,
        applicationId: BANDWIDTH.application,
        apiUser: BANDWIDTH.user,
        apiPassword: told(BANDWIDTH.password, s),
      }),
    ),
  infobip: (s) =>
    around(new FakeInfobipRest(), (place) =>
      infobipControl({ ...place, baseUrl: 'https://x.api.infobip.com', apiKey: told(INFOBIP_KEY, s) }),
    ),
  jambonz: (s) =>
    around(new FakeJambonzRest(), (place) =>
      jambonzControl({
        ...place,
        baseUrl: 'https://jambonz.example.com/v1',
        accountSid: JAMBONZ.account,
        apiKey: told(JAMBONZ.key, s),
        applicationSid: JAMBONZ.application,
        transferUrl: TRANSFER_URL,
      }),
    ),
  asterisk: (s) =>
    around(new FakeAri(), (place) =>
      asteriskControl({
        ...place,
        baseUrl: 'http://127.0.0.1:8088/ari',
        ariUser: ARI.user,
        ariPassword: told(ARI.password, s),
        out: { endpoint: 'PJSIP/{to}@trunk', context: 'parley', extension: 's' },
      }),
    ),
}
