# shellcheck shell=bash disable=SC2034
# Two versions of the program by turns, in pairs: the machine's own speed drifts by more than what is
# asked, so what counts is the ratio within a pair, and of those the median. Sourced after
# measure.bash; `script/bench NAME --against COMMIT` builds the other version and names it.

other=          # the program to compare with; without it the benchmark is its usual self
pairs=          # of every comparison; each benchmark has a number of its own
within=3        # % of CPU
within_other=10 # % of memory or of calls held
outside=0       # what is outside of these

# Takes the options of a comparison and leaves the rest in `parts`.
against_options() { # ARGUMENT...
  parts=()
  while (($#)); do
    case $1 in
      --against | --pairs | --within) (($# > 1)) || die "$1 needs a value" ;;&
      --against) other=$2 && shift ;;
      --pairs) pairs=$2 && shift ;;
      --within)
        IFS=, read -r within within_other <<<"$2,$within_other"
        within_other=${within_other%%,*}
        shift
        ;;
      *) parts+=("$1") ;;
    esac
    shift
  done
  [[ -z $pairs || $pairs =~ ^[1-9][0-9]*$ ]] || die "--pairs: no number of pairs: $pairs"
  [[ $within,$within_other =~ ^[0-9]+(\.[0-9]+)?,[0-9]+(\.[0-9]+)?$ ]] ||
    die "--within: CPU[,OTHER] in %, not $within,$within_other"
  [[ -z $other || -x $other ]] || die "no program $other"
}

# Runs `COMMAND...` for both versions in PAIRS pairs, every other one the other way round. With
# `program` set to one of the two, the command sets `value`, or leaves it empty: such a pair does not
# count and is tried again, as often as there are pairs. Prints a line and sets `ratio_of[NAME]`.
declare -A ratio_of value_of
compared() { # NAME UNIT PAIRS COMMAND...
  local name=$1 unit=$2 wanted=$3 here=$program which round order value counted=0 wasted=0
  local -A now
  local -a these=() others=() ratios=()
  shift 3
  for ((round = 0; counted < wanted && wasted <= wanted; round++)); do
    order='this other'
    ((round % 2 == 0)) || order='other this'
    for which in $order; do
      program=$here
      [[ $which == this ]] || program=$other
      value=
      "$@"
      now[$which]=$value
    done
    program=$here
    if [[ -n ${now[this]} && -n ${now[other]} && $(calc '%d' "${now[other]:-0} > 0") == 1 ]]; then
      counted=$((counted + 1))
      these+=("${now[this]}") others+=("${now[other]}")
      ratios+=("$(calc '%.4f' "${now[this]} / ${now[other]}")")
    else
      wasted=$((wasted + 1))
    fi
  done
  ratio_of[$name]=null value_of[$name]='none'
  if ((counted == wanted)); then
    ratio_of[$name]=$(calc '%.3f' "$(median "${ratios[@]}")")
    value_of[$name]="$(median "${these[@]}") $unit, was $(median "${others[@]}")"
  fi
  printf '  %-34s %9s %9s %-4s %7s' "$name" "$(((counted)) && median "${these[@]}")" \
    "$(((counted)) && median "${others[@]}")" "$unit" "${ratio_of[$name]}"
  ((counted == 0)) || printf '  %s - %s of %d pairs' \
    "$(printf '%s\n' "${ratios[@]}" | sort -n | sed -n 1p)" \
    "$(printf '%s\n' "${ratios[@]}" | sort -n | sed -n '$p')" "$counted"
  ((wasted == 0)) || printf ', %d more went wrong' "$wasted"
  printf '\n'
}

comparison_begins() {
  echo "this:    $program"
  echo "other:   $other"
  echo
  echo "by turns: medians, and the median of the pairs' ratios with the least and the greatest"
  printf '  %-34s %9s %9s %-4s %7s\n' '' this other '' ratio
}

# One line of the summary; what is outside makes the benchmark's exit code 1.
held_to() { # NAME WORDS 'at most'|'at least' PERCENT
  local must line
  must=$(calc '%.3f' "1 $([[ $3 == 'at most' ]] && echo + || echo -) $4 / 100")
  line=$(verdict "$2: ${value_of[$1]}" "${ratio_of[$1]}" x "$3" "$must" 1.0)
  echo "$line"
  [[ $line == *met ]] || outside=1
}
