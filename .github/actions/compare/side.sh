# To be sourced: harness SIDE ARGUMENTS... runs a command of that side's own tree.
harness() {
  local side=$1 options=()
  shift
  mapfile -t options <"$WORK/$side.options"
  case $1 in parity | bench) set -- "$@" "${options[@]}" ;; esac
  (cd "$(cat "$WORK/$side.tree")" && "$(cat "$WORK/$side.python")" -m harness "$@")
}
