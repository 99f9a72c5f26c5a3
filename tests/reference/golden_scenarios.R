# Writes golden/scenarios.json: the main analysis of the myeloma cohort over other rows and with other covariates.
# Usage, from this folder: Rscript golden_scenarios.R
source("golden_functions.R")

all <- read.csv("relapsed-myeloma-596.csv", na.strings = "")
all$a <- as.integer(all$regimen == "IsaPd"); all$female <- as.integer(all$sex == "F"); all$iss <- factor(all$iss_stage); all$dara_no <- 1 - all$dara_refr; all$asct_no <- 1 - all$asct
all$fish_high <- as.integer(all$fish == "high"); all$fish_level <- factor(ifelse(is.na(all$fish), "missing", all$fish), c("standard", "high", "missing"))
common <- "age + female + crcl + iss + ldh_high + dara_no + asct_no"

# glm takes its covariance from the weights before its last step: this is the information at the solution.
information_at_solution <- function(f) { X <- model.matrix(f); mu <- plogis(drop(X %*% coef(f))); solve(crossprod(X, mu * (1 - mu) * X)) }
scenario <- function(d, rhs) {
  ps <- glm(as.formula(paste("a ~", rhs)), binomial, d, control = tight_glm); e <- fitted(ps); Z <- model.matrix(ps); p <- mean(d$a)
  w <- ifelse(d$a == 1, p / e, (1 - p) / (1 - e))
  adjusted <- glm(as.formula(paste("response ~ a +", rhs)), binomial, d, control = tight_glm)
  survival <- function(time, event) { d$t <- d[[time]]; d$s <- d[[event]]
    list(events = sum(d$s), iptw = iptw_cox(Surv(d$t, d$s), d$a, Z, w, e, TRUE),
      adjusted = with(cox(as.formula(paste("Surv(t, s) ~ a +", rhs)), d), list(estimate = estimate, std_error = std_error, loglik = loglik))) }
  list(n = nrow(d), control = sum(d$a == 0), treated = sum(d$a == 1),
    propensity = list(estimate = unname(coef(ps)), std_error = unname(sqrt(diag(information_at_solution(ps))))),
    response = list(iptw = iptw_glm(d$response, d$a, Z, w, e, TRUE), adjusted = list(estimate = unname(coef(adjusted)), std_error = unname(sqrt(diag(information_at_solution(adjusted)))))),
    pfs = survival("pfs_days", "pfs_event"), os = survival("os_days", "death"))
}
save_json(list(
  fish_as_level = scenario(all, paste(common, "+ fish_level")),
  without_fish = scenario(all, common),
  under_75 = scenario(subset(all, !is.na(fish) & age < 75), paste(common, "+ fish_high"))), "scenarios")
