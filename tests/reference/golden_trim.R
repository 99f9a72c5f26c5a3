# Writes golden/trim.json: the myeloma cohort trimmed by its propensity score, then the propensity model and the weighted and
# unweighted models fitted again to those who stay (Crump et al. 2009: 0.1 and 0.9; a narrower pair beside it).
# Usage, from this folder: Rscript golden_trim.R
source("golden_functions.R")

all <- read.csv("relapsed-myeloma-596.csv", na.strings = "")
all$a <- as.integer(all$regimen == "IsaPd"); all$female <- as.integer(all$sex == "F"); all$iss <- factor(all$iss_stage); all$dara_no <- 1 - all$dara_refr; all$asct_no <- 1 - all$asct
all$fish_high <- as.integer(all$fish == "high")
rhs <- "age + female + crcl + iss + ldh_high + dara_no + asct_no + fish_high"
model <- function(d) glm(as.formula(paste("a ~", rhs)), binomial, d, control = tight_glm)

# glm takes its covariance from the weights before its last step: this is the information at the solution.
information_at_solution <- function(f) { X <- model.matrix(f); mu <- plogis(drop(X %*% coef(f))); solve(crossprod(X, mu * (1 - mu) * X)) }
trimmed <- function(d, low, high) {
  e <- fitted(model(d)); stopifnot(min(abs(outer(e, c(low, high), "-"))) > 1e-6); d <- d[e >= low & e <= high, ]
  ps <- model(d); e <- fitted(ps); Z <- model.matrix(ps); p <- mean(d$a); w <- ifelse(d$a == 1, p / e, (1 - p) / (1 - e))
  survival <- function(time, event) { k <- coxph(Surv(d[[time]], d[[event]]) ~ d$a, ties = "efron", control = tight_cox)
    list(events = sum(d[[event]]), iptw = iptw_cox(Surv(d[[time]], d[[event]]), d$a, Z, w, e, TRUE), unadjusted = list(estimate = unname(coef(k)), std_error = sqrt(drop(vcov(k))))) }
  list(n = nrow(d), control = sum(d$a == 0), treated = sum(d$a == 1),
    propensity = list(estimate = unname(coef(ps)), std_error = unname(sqrt(diag(information_at_solution(ps))))),
    ess = list(control = sum(w[d$a == 0])^2 / sum(w[d$a == 0]^2), treated = sum(w[d$a == 1])^2 / sum(w[d$a == 1]^2)),
    response = list(iptw = iptw_glm(d$response, d$a, Z, w, e, TRUE)), pfs = survival("pfs_days", "pfs_event"), os = survival("os_days", "death"))
}
d <- subset(all, !is.na(fish))
save_json(list(from_10_to_90 = trimmed(d, .1, .9), from_15_to_85 = trimmed(d, .15, .85)), "trim")
