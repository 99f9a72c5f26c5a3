# Writes golden/competing.json: cumulative incidences with their errors, Gray's test and Fine-Gray regressions.
# Needs what golden.R needs, and cmprsk. Usage, from this folder: Rscript golden_competing.R
# Fine-Gray is finegray + coxph: weights given to finegray multiply its own, its censoring distribution counts rows.
source("golden_functions.R")
suppressMessages(library(cmprsk))

# ---- one arm or both: survfit on a factor, infinitesimal jackknife errors ----
# A curve that ends at 0 ends in rounding in R: what is below 1e-14 is 0.
incidence <- function(t, cause, w, times) { f <- survfit(Surv(t, cause) ~ 1, weights = w); s <- summary(f, times = times, extend = TRUE); for (k in c("pstate", "std.err")) s[[k]][abs(s[[k]]) < 1e-14] <- 0
  list(times = times, event_free = s$pstate[, 1], event_free_se = s$std.err[, 1], cause1 = s$pstate[, 2], cause1_se = s$std.err[, 2], cause1_low = s$lower[, 2], cause1_high = s$upper[, 2], cause2 = s$pstate[, 3], cause2_se = s$std.err[, 3], cause2_low = s$lower[, 3], cause2_high = s$upper[, 3], risk = s$n.risk[, 1]) }
incidences <- function(t, cause, a, w, times) lapply(list(all = 0:1, control = 0, treated = 1), function(k) incidence(t[a %in% k], cause[a %in% k], w[a %in% k], times))

# ---- Fine-Gray: expanded rows, robust by patient ----
fine_gray <- function(t, cause, X, w, etype, ties) { d <- data.frame(id = seq_along(t), t = t, cause = cause, w = w, X); e <- finegray(Surv(t, cause) ~ ., data = d, weights = w, etype = etype)
  f <- coxph(as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", paste(names(X), collapse = " + "), "+ cluster(id)")), e, weights = fgwt, ties = ties, control = tight_cox)
  c(coef_table(coef(f), f$naive.var), list(se_robust = unname(sqrt(diag(f$var))), loglik = f$loglik, score_test = unname(f$score), wald_test_robust = unname(f$wald.test), rows = nrow(e))) }

# Treatment alone with stabilised weights of an estimated propensity score: the influence function of iptw_cox with a
# patient's score residual summed over the expanded rows. The censoring distribution does not depend on the weights.
iptw_fine_gray <- function(t, cause, a, Z, etype) { e <- fitted(glm(a ~ Z - 1, binomial, control = tight_glm)); p <- mean(a); w <- ifelse(a == 1, p / e, (1 - p) / (1 - e))
  x <- finegray(Surv(t, cause) ~ ., data = data.frame(id = seq_along(t), t = t, cause = cause, a = a, w = w), weights = w, etype = etype); f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ a + cluster(id), x, weights = fgwt, control = tight_cox)
  L <- drop(rowsum(residuals(f, type = "score") * x$fgwt / x$w, x$id)); G <- colSums(L * ifelse(a == 1, -p * (1 - e) / e, (1 - p) * e / (1 - e)) * Z)
  infl <- w * L + drop((a - e) * Z %*% solve(crossprod(Z, e * (1 - e) * Z), G)) + sum(L * ifelse(a == 1, 1 / e, -1 / (1 - e))) * (a - p) / length(a)
  b <- unname(coef(f)); list(estimate = b, hazard_ratio = exp(b), se_naive = sqrt(drop(f$naive.var)), se_robust = sqrt(drop(f$var)), se_m_estimation = sqrt(sum((drop(f$naive.var) * infl)^2)), loglik = f$loglik) }

study <- function(name, t, cause, a, X, w, times) { code <- cause; cause <- factor(cause, 0:2); g <- cuminc(t, code, a)$Tests
  out <- list(counts = lapply(list(control = 0, treated = 1), function(k) unname(c(table(cause[a == k])))), gray = list(statistic = unname(g[, "stat"]), p_value = pchisq(unname(g[, "stat"]), 1, lower.tail = FALSE)),
    incidence = incidences(t, cause, a, rep(1, length(t)), times), incidence_weighted = incidences(t, cause, a, w, times))
  for (k in 1:2) for (ties in c("efron", "breslow")) { out[[paste0("fine_gray_", k)]][[ties]] <- fine_gray(t, cause, X, rep(1, length(t)), k, ties); out[[paste0("fine_gray_", k)]][[paste0(ties, "_weighted")]] <- fine_gray(t, cause, X, w, k, ties) }
  # cmprsk's crr has Breslow ties, counts events as at risk of censoring at their own time, and its variance accounts for the
  # estimated censoring distribution: without ties it is the same estimate with another standard error.
  apart <- function(t, what) for (k in 1:2) { r <- crr(t, code, X, failcode = k, gtol = 1e-14, maxiter = 50); b <- fine_gray(t, cause, X, rep(1, length(t)), k, "breslow")
    cat(sprintf("%s cause %d, %s: crr from finegray + coxph, coefficients %.1e and standard errors %.1e standard errors apart at most\n", name, k, what, max(abs(r$coef - b$estimate) / b$std_error), max(abs(sqrt(diag(r$var)) - b$se_robust) / b$std_error))) }
  apart(t, "as they are"); apart(t + rank(code * 1e5 + seq_along(t)) / length(t) / 2, "ties broken")
  out }

# ---- rotterdam: 1 relapse, 2 death without one (the disease-free time ends on the day of death) ----
r <- read.csv("rotterdam.csv"); code <- ifelse(r$s == 0, 0, ifelse(r$death == 1 & r$t == r$dtime, 2, 1))
X <- data.frame(chemo = r$chemo, age = r$age, meno = r$meno, mid = as.integer(r$size_c == "20-50"), large = as.integer(r$size_c == ">50"), hormon = r$hormon); w <- .5 + r$pid %% 7 / 4
rotterdam <- list(day = study("rotterdam by day", r$t, code, r$chemo, X, w, c(100, 365, 1000, 1826, 3000, 5000, 7000)), month = study("rotterdam by month", ceiling(r$t / 30.4375), code, r$chemo, X, w, c(3, 12, 36, 60, 100, 160, 229)))

# ---- relapsed myeloma: 1 progression, 2 death without progression ----
all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]; code <- ifelse(d$pfs_event == 0, 0, ifelse(is.na(d$progression_date), 2, 1))
a <- as.integer(d$regimen == "IsaPd"); X <- data.frame(regimen = a, age = d$age); w <- .5 + seq_len(nrow(d)) %% 5 / 3
myeloma <- list(day = study("myeloma by day", d$pfs_days, code, a, X, w, c(30, 91, 182, 365, 730, 1200)), month = study("myeloma by month", ceiling(d$pfs_days / 30.4375), code, a, X, w, c(1, 3, 6, 12, 24, 40)))

Z <- model.matrix(~ age + factor(sex, c("M", "F")) + crcl + factor(iss_stage) + ldh_high + I(1 - dara_refr) + I(1 - asct) + I(fish == "high"), d)
e <- fitted(glm(a ~ Z - 1, binomial, control = tight_glm)); stabilised <- ifelse(a == 1, mean(a) / e, (1 - mean(a)) / (1 - e))
for (grid in c("day", "month")) { t <- ceiling(d$pfs_days / c(day = 1, month = 30.4375)[[grid]]); myeloma[[grid]]$incidence_iptw <- incidences(t, factor(code, 0:2), a, stabilised, myeloma[[grid]]$incidence$all$times)
  for (k in 1:2) myeloma[[grid]][[paste0("iptw_", k)]] <- iptw_fine_gray(t, factor(code, 0:2), a, Z, k)
  # the hazard of one cause, the other one censored
  for (k in 1:2) myeloma[[grid]][[paste0("cox_", k)]] <- cox(Surv(t, code == k) ~ regimen + age, cbind(d[, 0], X, t = t)) }

# ---- a few rows with everything at once: day 0, ties within and between causes, censoring tied with events, weights ----
few <- list(time = c(0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9), cause = c(1, 2, 0, 0, 2, 1, 1, 0, 2, 0, 1, 0, 1, 2, 1, 0, 2, 0, 1, 2), arm = c(0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0),
  z = c(.3, -1, 2, .5, -.2, 1.1, 0, -.7, .9, .4, -1.3, .8, 0, 1.5, -.6, .2, -.4, .7, .1, -.9), w = .4 + (1:20 %% 6) / 3)
small <- c(few, study("few rows", few$time, few$cause, few$arm, data.frame(arm = few$arm, z = few$z), few$w, 0:9))
save_json(list(rotterdam = rotterdam, myeloma = myeloma, small = small), "competing")
