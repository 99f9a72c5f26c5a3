# Writes golden/bootstrap_study.json: the bootstrap of the myeloma study, every replicate fitted again in pooled R. The case
# weights are read from golden/bootstrap_study_weights.csv, which the test harness writes (tests/tests/all/resampling.rs).
# Usage, from this folder: Rscript golden_bootstrap_study.R
source("golden_functions.R")
tight <- function(formula, data, weights) { data$.w <- weights; environment(formula) <- environment(); suppressWarnings(glm(formula, binomial, data, weights = .w, control = tight_glm)) }

all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); B <- read.csv("golden/bootstrap_study_weights.csv")
d <- all[match(B$patient, all$patient), ]; stopifnot(nrow(d) == sum(!is.na(all$fish)), !is.na(d$fish))
d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); d$iss <- factor(d$iss_stage); d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$fish_high <- as.integer(d$fish == "high")
rhs <- "age + female + crcl + iss + ldh_high + dara_no + asct_no + fish_high"

iptw <- function(b) { e <- fitted(tight(as.formula(paste("a ~", rhs)), d, b)); p <- sum(b * d$a) / sum(b); b * ifelse(d$a == 1, p / e, (1 - p) / (1 - e)) }
survival <- function(time, event) { d$t <- d[[time]]; d$s <- d[[event]]
  fit <- function(x, w) { d$.w <- w; unname(coef(coxph(as.formula(paste("Surv(t, s) ~", x)), d, weights = .w, control = tight_cox))[1]) }
  list(unadjusted = function(b) fit("a", b), iptw = function(b) fit("a", iptw(b)), adjusted = function(b) fit(paste("a +", rhs), b)) }
response <- list(unadjusted = function(b) unname(coef(tight(response ~ a, d, b))["a"]), iptw = function(b) unname(coef(tight(response ~ a, d, iptw(b)))["a"]), adjusted = function(b) unname(coef(tight(as.formula(paste("response ~ a +", rhs)), d, b))["a"]))
bootstrap <- function(fit) { est <- fit(rep(1, nrow(d))); r <- unname(sapply(B[-1], fit)); list(estimate = est, replicates = r, std_error = sd(r), normal = est + c(-1, 1) * qnorm(.975) * sd(r), percentile = unname(quantile(r, c(.025, .975), type = 7))) }
save_json(lapply(list(pfs = survival("pfs_days", "pfs_event"), os = survival("os_days", "death"), response = response), lapply, bootstrap), "bootstrap_study")
