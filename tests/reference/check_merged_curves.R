# Holds the curves of a run under `curves = "merged"` against R: survfit and survdiff on the pooled rows of the reference study
# in months, with times rounded up to the ends that the run gives out.
#
#   cp -r examples/relapsed-myeloma merged
#   sed -i 's/^\[release\]/[release]\ncurves = "merged"/' merged/protocol-month.toml
#   cargo run --release --bin rehearse -- merged --protocol protocol-month.toml --out out
#   Rscript tests/reference/check_merged_curves.R merged/sites out
#
# Seen with R 4.2.2 and survival 3.5: 249 numbers, largest relative difference 6.5e-16.

suppressMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
files <- list.files(arguments[1], pattern = "csv$", full.names = TRUE)
rows <- do.call(rbind, lapply(files, read.csv, colClasses = "character"))
rows <- rows[rows$fish != "" & rows$regimen %in% c("EloPd", "IsaPd"), ]
table <- function(name) read.csv(file.path(arguments[2], name))
curves <- table("survival.csv")
medians <- table("medians.csv")
outcomes <- table("outcomes.csv")
tests <- table("tests.csv")

month <- 30.4375
horizon <- floor(96 * month)
compared <- 0
worst <- 0
compare <- function(ours, theirs) {
  if (is.na(ours) && is.na(theirs)) return(invisible())
  stopifnot(!is.na(ours), !is.na(theirs))
  difference <- abs(ours - theirs) / max(abs(theirs), 1e-12)
  compared <<- compared + 1
  worst <<- max(worst, difference)
}

for (outcome in c("pfs", "os")) {
  days <- as.numeric(rows[[paste0(outcome, "_days")]])
  event <- as.numeric(rows[[c(pfs = "pfs_event", os = "death")[outcome]]])
  event[days > horizon] <- 0
  shown <- curves[curves$outcome == outcome & !curves$weighted & !is.na(curves$survival) & curves$conf_type == "log", ]
  ends <- sort(unique(c(round(shown$time_days / month), ceiling(horizon / month))))
  time <- sapply(ceiling(pmin(days, horizon) / month), function(cell) min(ends[ends >= cell]))
  for (arm in c("EloPd", "IsaPd")) {
    of_arm <- rows$regimen == arm
    fit <- survfit(Surv(time[of_arm], event[of_arm]) ~ 1)
    ours <- shown[shown$arm == arm, ]
    for (i in seq_len(nrow(ours))) {
      theirs <- summary(fit, times = round(ours$time_days[i] / month), extend = TRUE)
      compare(ours$survival[i], theirs$surv)
      if (!is.na(ours$std_error[i])) compare(ours$std_error[i], theirs$std.err)
      compare(ours$n_risk[i], theirs$n.risk)
    }
    of_curve <- medians$outcome == outcome & medians$arm == arm & !medians$weighted & medians$conf_type == "log"
    compare(medians$value_days[of_curve & medians$quantity == "median"] / month, summary(fit)$table["median"])
    compare(outcomes$person_days[outcomes$outcome == outcome & outcomes$arm == arm], sum(time[of_arm]) * month)
  }
  log_rank <- tests$statistic[tests$name == "log_rank" & tests$outcome == outcome & tests$model == "unadjusted"]
  compare(log_rank, survdiff(Surv(time, event) ~ rows$regimen)$chisq)
}
cat(compared, "numbers, largest relative difference", format(worst, digits = 2), "\n")
stopifnot(compared > 200, worst < 1e-10)
