//! What stands below the options in `--help`.

pub const EXAMPLES: &str = "\
Examples:
  attnlab                                        the console
  attnlab run vit --set attention=relu           train a vision transformer on the digits that are built in
  attnlab run vit --help                         the parameters of a problem
  attnlab run random-features --set m=16..1024x2 --json
  attnlab presets                                the figures that are ready to run
  attnlab list problem=vit                       what ran, and what came out
  attnlab export RUN --svg -o figures            a figure fit for a paper

Exit status: 0 done, 1 a run failed, 2 bad input, 130 stopped by the user with what was done kept.";

pub const RUN_EXAMPLES: &str = "\
Examples:
  attnlab run vit --set dataset=mnist --set attention=relu --set epochs=3
  attnlab run vit --set attention=softmax,relu,exp --repeats 5     15 runs: a list makes a run for each value
  attnlab run vision-digits                                        a preset by name
  attnlab run presets/vision-digits.toml --json                    a preset by file, one JSON document
  attnlab run logs/20260101-120000-vit-relu-digits-00/run.toml     the same run again
  attnlab run vit --help                                           the parameters of a problem

Ctrl-C stops at the next step and keeps what was done; a second one ends at once. When the terminal hangs up the work
goes on.";

pub const SWEEP_EXAMPLES: &str = "\
Examples:
  attnlab sweep vision-digits --repeats 5                     here, what is not finished
  attnlab sweep vit --set attention=relu,exp --set 'lr=log(1e-4..1e-2, 5)' --halve --within attention
                                                              the best rate of each kernel
  attnlab sweep vision-digits --slurm --max-parallel 8 -c 4   as a job array of Slurm; returns at once
  attnlab sweep status last                                   how far it is
  attnlab sweep resume last                                   submit again what is missing
  attnlab sweep vision-digits --commands | parallel           one command a point, for any queue";

pub const COMPARE_EXAMPLES: &str = "\
Examples:
  attnlab compare problem=vit --by attention --against relu,exp --show train_seconds
  attnlab compare problem=vit --by attention,patch --against relu --markdown
  attnlab compare problem=vit dataset=mnist --by attention --number test_loss --seeds --csv";

pub const LIST_EXAMPLES: &str = "\
Examples:
  attnlab list
  attnlab list problem=vit attention=relu,exp 'test_accuracy>0.9'
  attnlab list state=failed,lost --json
  attnlab list problem=vit --sort test_accuracy";

pub const EXPORT_EXAMPLES: &str = "\
Examples:
  attnlab export last                                    CSV and SVG of the newest run, into export/
  attnlab export RUN1 RUN2 RUN3 --svg --png -o figures   three runs in one figure
  attnlab export RUN --tensorboard -o tb                 then: tensorboard --logdir tb

Every file carries parameters, seed, version and command of its runs.";

pub const RECOMMEND_EXAMPLES: &str = "\
Examples:
  attnlab recommend --queries q.npy --keys k.npy --values v.npy --causal
  attnlab recommend --queries m.npz#q --keys m.npz#k --measure frobenius --error 0.2 --layer 3 --head 0
  attnlab recommend --checkpoint RUN --features 256 --json
  attnlab recommend --queries q.npy --keys k.npy --values v.npy --estimators positive --write-output estimated";

pub const DATA_EXAMPLES: &str = "\
Examples:
  attnlab data list
  attnlab data fetch mnist fashion-mnist
  attnlab data fetch cifar-10 --data-dir /scratch/data
  attnlab data check --data-dir /scratch/data
  attnlab data check folder --folder /scratch/pictures";
